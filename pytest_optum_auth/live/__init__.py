"""Runs against the real sandbox: who may be called, one token a session, nothing printed."""
