"""A template of a visavis plugin: a voice, a turn detector and eyes, each as small as it can be."""
