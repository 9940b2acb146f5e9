"""The product: rules, contracts and composition. Start reading at `monitor.pipeline`."""
