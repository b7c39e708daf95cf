"""CPU, memory and disk: what is used, asked for, allowed and there."""
