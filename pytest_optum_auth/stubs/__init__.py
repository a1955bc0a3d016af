"""What answers for the APIs behind the gateway, beside ``protect``."""
