"""The register of companies: what is known of them, which of them are watched, and where a text names them."""
