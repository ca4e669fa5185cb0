"""What a persona may swap: each folder is a Protocol and its engines."""
