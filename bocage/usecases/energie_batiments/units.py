"""Units of energy, power and gas volume, in kWh. Nothing is guessed: an unknown unit is an error that names it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bocage.contract.errors import UnreadableFile

PCI_TO_PCS = 1.11
"""Natural gas: heat with the condensed water over heat without (arrêté du 15 septembre 2006, annexe 4)."""

VOLUME = "m³"
ENERGY = {"Wh": 1e-3, "kWh": 1.0, "MWh": 1e3, "kWh PCS": 1.0, "MWh PCS": 1e3, "kWh PCI": PCI_TO_PCS, "MWh PCI": 1e3 * PCI_TO_PCS}
POWER = {"W": 1e-3, "kW": 1.0}


def to_kwh(
    values: pd.Series | np.ndarray, unit: str, hours: pd.Series | np.ndarray | float, gas: np.ndarray | float | None = None
) -> pd.Series | np.ndarray:
    """``values`` in ``unit`` over steps of ``hours``, in kWh (PCS for gas). ``gas``: kWh PCS per m³, needed for m³, NaN unknown.

    Raises ``UnreadableFile`` on a unit that is not known, or m³ without a coefficient: a wrong guess would be a factor of 10 to 1000.
    """
    if unit in ENERGY:
        return values * ENERGY[unit]
    if unit in POWER:
        return values * POWER[unit] * hours
    if unit == VOLUME and gas is not None and np.isfinite(gas).all():
        return values * gas
    if unit == VOLUME:
        raise UnreadableFile("Des volumes de gaz sont en m³ : donnez « coefficient_kwh_m3 » (sur la facture) dans la table des sites.")
    raise UnreadableFile(f"Unité « {unit} » inconnue : donnez W, kW, Wh, kWh, MWh (PCS ou PCI pour le gaz) ou m³.")


def index_to_kwh(values: np.ndarray, unit: str, point: str, gas: np.ndarray | float | None = None) -> np.ndarray:
    """The accumulated ``values`` of an index in kWh. Raises ``UnreadableFile`` as ``to_kwh`` does, and on a power, which does not
    accumulate."""
    if unit in POWER:
        raise UnreadableFile(
            f"L’index du compteur {point} est en « {unit} », une puissance : un index s’accumule. Donnez-le en Wh, kWh, MWh ou m³, "
            "ou dites « consommation » dans « nature »."
        )
    return np.asarray(to_kwh(values, unit, 0.0, gas), dtype=float)
