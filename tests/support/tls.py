"""One TLS context for all HTTP clients: each would load the authorities of the machine again, in 60 ms."""

import ssl

TLS = ssl.create_default_context()
