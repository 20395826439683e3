"""Models from PyTorch, and this project's parts as torch modules.

============================  =====================================================================
:class:`PrivateQuadratic`     the private part as a module, with rounded weights where asked for
:class:`Matching`             the defence: equal distributions of the outputs within every main class
:func:`sabotage_loss`         the defences with simulated adversaries
:func:`load`                  a model of the supported shape as a :class:`halflight.Network`
:func:`to_integers`           a :class:`PrivateQuadratic` as it was fine-tuned, in integers
============================  =====================================================================

Supported shape: inputs, scaled or flattened; one or two linear layers; their square or product; a linear layer (the
private part ends here); then linear layers with ReLU (the public head). Batch normalisation is folded in.
"""

from .losses import Matching, sabotage_loss
from .modules import PrivateQuadratic
from .reader import load, to_integers

__all__ = ["Matching", "PrivateQuadratic", "load", "sabotage_loss", "to_integers"]
