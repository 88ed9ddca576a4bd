"""What the machine proposed and what people decided: runs today, proposals and decisions on the upper floor."""
