"""Models from PyTorch, and this project's parts as torch modules.

============================  =====================================================================
:class:`PrivateQuadratic`     the private part as a module, with rounded weights on request
:class:`Matching`             the defence: equal distributions of the outputs within every main class
:func:`sabotage_loss`         the defences with simulated adversaries
:func:`load`                  a model of the supported shape as a :class:`halflight.Network`
:func:`cut`                   a model with any head, which runs in the clear after the private part in integers
:func:`to_integers`           a :class:`PrivateQuadratic` as it was fine-tuned, in integers
============================  =====================================================================

Supported shape: any linear operations on the inputs (linear and convolutional layers, average pooling, slices,
permutations, scaling, batch normalisation in evaluation); one square or product of two of their results; a linear
operation (the private part ends here); then linear operations with ReLU between them (the public head).
"""

from .losses import Matching, sabotage_loss
from .modules import PrivateQuadratic
from .parts import TorchModel, cut
from .reader import load, to_integers
from .rounding import levels

__all__ = ["Matching", "PrivateQuadratic", "TorchModel", "cut", "levels", "load", "sabotage_loss", "to_integers"]
