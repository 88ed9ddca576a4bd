"""What two rooms that speak HTTP to other servers share."""
