"""Training of replicas as a server does it: queued, in a process of its own, resumed, told to a callback."""
