"""What a plugin registers with: samplings, views, networks and losses by name. See docs/extending.md.

>>> from zoomvqa.registry import LOSSES, VIEWS
>>> "fragments" in VIEWS.names()
True
>>> LOSSES.names()[:3]
('smooth_l1', 'l1', 'mse')
"""

from __future__ import annotations

from zoomvqa.settings.registry import LOSSES, NETWORKS, SAMPLINGS, VIEWS, Registry

__all__ = ["LOSSES", "NETWORKS", "SAMPLINGS", "VIEWS", "Registry"]
