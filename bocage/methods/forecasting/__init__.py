"""Forecasting a panel of seasonal series (hours, or any number of slots a day), with intervals and without leakage.

The one idea behind the modules: a *rolling* method gives, in one call, the forecast of every day from every past origin
(``rolling[k - 1, d]`` is the forecast of day ``d`` that knows days up to ``d - k`` only). So the same array holds the forecast of the
coming days, the out-of-sample residuals that calibrate intervals (``conformal``), and the base that a second method
corrects (``boosting``).

``panel``      a long table (series, time, value) → days x slots x series, in local time
``peaks``      accidents, which teach nothing
``profiles``   seasonal naives and weighted weekly profiles
``operations`` scheduled weekly operations (flushing, tank filling) taken out of the series and put back
``kernels``    the covariances between days
``curves``     Gaussian processes of day curves
``boosting``   gradient boosting, global or per series, of what a base forecast leaves
``conformal``  intervals from past residuals
``backtest``   origins, and the scores of a method at each of them
"""
