"""Run Bellwether on one machine: child processes under one supervisor, and an embedded Apache Kafka."""
