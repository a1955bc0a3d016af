"""The gateway itself, sans-I/O: a request goes in, an answer comes out.

Nothing here knows pytest or an HTTP library, opens a socket or reads a file. Imports only itself,
the standard library and PyJWT.
"""
