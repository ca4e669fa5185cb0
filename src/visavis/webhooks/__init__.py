"""Webhooks: what happens is told to the addresses that users gave, signed, in order, at least once."""
