"""How the 478 points of a face move with each of the 52 ARKit face units; see README.md."""
