"""What a use case promises, how tables are read, and the suite that checks both."""
