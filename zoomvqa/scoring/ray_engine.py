"""Scores of many videos beyond one machine, through Ray Data: decoded on CPUs, scored on GPUs."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from typing import Any

import torch

from zoomvqa.errors import ToolError
from zoomvqa.internals.messages import worker_s_line
from zoomvqa.scoring.feeders import Task
from zoomvqa.scoring.ray_cluster import Shares, connected, ray_package, share_out
from zoomvqa.scoring.recipe import ScorerRecipe
from zoomvqa.scoring.scorer import Scorer, VideoScore
from zoomvqa.settings.ray import RaySettings

# Seconds that threads have to stop.
_LATE_S = 10.0
# So much is told of an error of Ray's.
_LONG = 200


def score_with_ray(
    recipe: ScorerRecipe,
    videos: Iterable[tuple[str, str]],
    *,
    wanted: RaySettings,
    patience: float,
    remote: bool = False,
    quiet: bool = False,
) -> Iterator[tuple[str, VideoScore]]:
    """Return an iterator over the score of each video, or why there is none, as they are ready.

    A video's score is, to the last bit, that of scoring it alone on the same kind of device. A worker that dies is
    replaced and its work done again. Leaving the iterator early ends what it has started.

    Args:
        recipe: of the scorer. Ray carries it, weights and all, to the networks' machines: these need no file.
        videos: names, and files that the decoding machines see under the same path, or addresses. They are taken
            as there is room: at most `wanted.window` are in work.
        wanted: the cluster, and how many of its workers.
        patience: seconds without a sign of a decoder after which its video is given up.
        remote: fetch what is given by an address; else these videos fail.
        quiet: drop what Ray's core writes to standard error when it starts; see `zoomvqa.scoring.ray_cluster`.

    Raises:
        ToolError: Ray is not installed, does not start or answer, or stops midway.
        SettingsError: the cluster has not as many CPUs or GPUs, or the recipe has a wrong option.
        CheckpointError: the recipe's weights do not fit.
    """
    ray_package(quiet=quiet)
    # Here it only tells what the branches look at, and makes a video's score of its parts'.
    scorer = recipe.scorer("cpu")
    return _scores(recipe, scorer, iter(videos), wanted, patience, remote=remote, quiet=quiet)


def _scores(
    recipe: ScorerRecipe,
    scorer: Scorer,
    videos: Iterator[tuple[str, str]],
    wanted: RaySettings,
    patience: float,
    *,
    remote: bool,
    quiet: bool,
) -> Iterator[tuple[str, VideoScore]]:
    from zoomvqa.scoring.ray_gather import CalledDesk, gathered  # noqa: PLC0415  it imports an optional extra

    with connected(wanted, quiet=quiet) as ray:
        has = ray.cluster_resources()
        machines = sum(node["Alive"] for node in ray.nodes())
        shares = share_out(wanted, recipe.device, int(has.get("CPU", 0)), int(has.get("GPU", 0)), machines)
        task = Task(scorer.networks.looks, scorer.reading, remote)
        before = frozenset(threading.enumerate())
        desk, rows = _started(ray, recipe, task, shares, patience)
        try:
            yield from gathered(CalledDesk(desk), rows, scorer, videos, shares.window)
        except ray.exceptions.RayError as error:
            raise ToolError(f"engine: Ray stopped: {_reason(error)}") from None
        finally:
            ray.kill(desk)
            rows.close()
            _wait_for_others(before)


def _started(
    ray: Any, recipe: ScorerRecipe, task: Task, shares: Shares, patience: float
) -> tuple[Any, Generator[Any, None, None]]:
    """Start the stages, and return the desk and an iterator over tables of messages."""
    from zoomvqa.scoring.ray_messages import Desk  # noqa: PLC0415  these import Ray, an optional extra
    from zoomvqa.scoring.ray_stages import Decoding, Scoring, VideoSource  # noqa: PLC0415

    data, threads = ray.data, torch.get_num_threads()
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=False
    )
    desk = ray.remote(Desk).options(num_cpus=0, max_concurrency=1000, scheduling_strategy=here).remote()
    device = recipe.device if not shares.gpus else "cuda"  # Ray shows each network its own GPU only
    kept = ray.put(replace(recipe, device=device))
    context = data.DataContext.get_current().copy()
    context.target_max_block_size = 1  # each row travels as soon as it is there
    context.execution_no_progress_timeout_s = -1  # a long video, or a slow list, is no reason to stop
    context.enable_progress_bars = context.print_on_execution_start = False
    whole = {"batch_size": None, "batch_format": "pyarrow"}
    with data.DataContext.current(context):
        found = data.read_datasource(VideoSource(desk), override_num_blocks=1, concurrency=1, num_cpus=0)
        found = found.map_batches(
            Decoding,
            fn_constructor_args=(desk, task, patience),
            compute=data.ActorPoolStrategy(size=shares.decoders, max_tasks_in_flight_per_actor=2),
            num_cpus=1,
            **whole,
        )
        found = found.map_batches(
            Scoring,
            fn_constructor_args=(desk, [kept], threads),
            compute=data.ActorPoolStrategy(size=shares.networks, max_tasks_in_flight_per_actor=2),
            num_cpus=0 if shares.gpus else 1,
            num_gpus=shares.gpus,
            **whole,
        )
        return desk, _tables(found)


def _tables(found: Any) -> Generator[Any, None, None]:
    # Without a prefetch: that holds a row back until the next is there, which may wait for this one.
    yield from found.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)


def _wait_for_others(before: frozenset[threading.Thread]) -> None:
    """Wait for threads that Ray Data has started and told to stop: one that is late ends the whole process.

    Ray's core leaves with exit code 1, without a word, when something calls it after its shutdown.
    """
    until = time.monotonic() + _LATE_S
    for thread in frozenset(threading.enumerate()) - before:
        if thread.name != "Prefetcher":  # Ray forgets this one when left early: it sleeps, and does no harm
            thread.join(max(0.0, until - time.monotonic()))


def _reason(error: Exception) -> str:
    """Return the last line of an error that says something: Ray puts the cause there, below where it came from."""
    told = worker_s_line(error)
    return told if len(told) <= _LONG else f"{told[:_LONG]}…"
