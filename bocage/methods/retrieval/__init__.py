"""Search in French for people who do not know the administration's words: analysis, scoring, ranking, calibration. NumPy only."""
