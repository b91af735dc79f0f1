"""Taking a request in: its bytes are decoded, here or in processes beside, and queued until they are on disk."""
