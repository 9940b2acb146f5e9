"""Kafka and Faust: codecs, topics, stages, replayer; the crawler in `streams.sources`."""
