"""Videos and recordings of a replica that speaks, made without a call: from a script or from somebody's sound."""
