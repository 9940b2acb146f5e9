"""The classifier: data sets, training, artefact, batching, evaluation. torch stays in this package."""
