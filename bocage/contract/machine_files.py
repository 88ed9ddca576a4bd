"""Files of the machine that a worker's walls (``bocage.execution.guard``) leave open to every engine, and that the conformance suite
therefore lets it read."""

from __future__ import annotations

READ = (
    "/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/nix/store", "/proc", "/sys", "/etc/ld.so.cache", "/etc/ld.so.conf",
    "/etc/ld.so.conf.d", "/etc/localtime", "/etc/timezone", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/os-release",
    "/etc/alternatives", "/etc/ssl/openssl.cnf", "/etc/fonts", "/dev/urandom", "/dev/random", "/Library", "/System", "/opt/homebrew",
)  # fmt: skip
WRITTEN = ("/dev/null", "/dev/zero", "/dev/full")
"""Read and written."""
