"""Several processes of one machine score together, each with its own network; Lightning starts them."""

from __future__ import annotations

import logging
from datetime import timedelta

from zoomvqa.errors import SettingsError
from zoomvqa.processes import Share

# A process that is done waits for the others, for as long as it takes.
_FOREVER = timedelta(days=365)
_ACCELERATORS = {"auto": "auto", "cpu": "cpu", "cuda": "gpu"}


def start_processes(devices: int, device: str) -> tuple[Share, str]:
    """Start as many processes as wanted, each of which runs this program up to here.

    Args:
        devices: processes.
        device: auto, cpu, cuda; another one is for a single process.

    Returns:
        The share of this process, and its device.

    Raises:
        SettingsError: there are not as many devices.
    """
    if devices == 1:
        return Share(), device
    if device not in _ACCELERATORS:
        raise SettingsError(f"device: got {device}, expected auto, cpu or cuda where devices={devices}")
    # Lightning takes 60 MB and a second, which one process can do without.
    from lightning.fabric import Fabric  # noqa: PLC0415
    from lightning.fabric.strategies.ddp import DDPStrategy  # noqa: PLC0415
    from lightning.fabric.utilities.exceptions import MisconfigurationException  # noqa: PLC0415

    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    try:
        strategy = DDPStrategy(timeout=_FOREVER)
        fabric = Fabric(accelerator=_ACCELERATORS[device], devices=devices, strategy=strategy)
    except (MisconfigurationException, ValueError, RuntimeError) as error:
        raise SettingsError(f"devices: {' '.join(str(error).split())}") from None
    fabric.launch()
    return Share(fabric.global_rank, fabric.world_size, fabric.barrier), str(fabric.device)
