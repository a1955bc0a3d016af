"""The fake over real HTTPS on loopback, for clients that no mock reaches.

Needs the extra ``server``. A :class:`~pytest_optum_auth.server.listener.Listener` listens for a
whole session and serves one fake at a time; every connection has a thread of its own, so that any
number of requests can wait at once, and every fault is an event on its socket.

It stands on the standard library's sockets: ready-made servers answer with a fixed number of
workers, of which held requests would take all, and some shake hands in the thread that accepts,
where one silent client keeps everybody else waiting.
"""
