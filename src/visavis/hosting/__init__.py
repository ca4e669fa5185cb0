"""Live conversations as a service: who may join, where calls run, when they end."""
