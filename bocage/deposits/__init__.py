"""Files that people or APIs bring: kept as received, with their hash, owner and date."""
