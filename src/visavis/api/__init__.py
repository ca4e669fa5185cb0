"""The HTTP side: resources, signalling and the pages."""
