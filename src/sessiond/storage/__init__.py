"""Where spans are kept. `api` is the contract; `memory` and `lmdb` keep it."""
