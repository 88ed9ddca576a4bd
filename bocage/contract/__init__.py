"""What a use case promises, how tables are read, and the suite that checks both."""

# Part of every engine's fingerprint: raise it when the contract or the table reader changes what engines receive.
VERSION = "2"
