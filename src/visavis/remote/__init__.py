"""Commands that talk to a server over its REST API: `visavis persona` and `visavis import`."""
