"""Bocage: the open platform with which a French local authority puts AI to work for its territory."""

__version__ = "0.1.0"
