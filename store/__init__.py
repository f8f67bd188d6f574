"""HDF5 store: queries, responses, scores, embeddings and routings, keyed by benchmark/model/index."""
