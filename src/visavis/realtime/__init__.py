"""visavis' own pipeline behind the OpenAI Realtime protocol, for programs that were written for it.

One `session.Session` serves one connection; what carries the messages is `visavis.api.realtime`.
"""
