"""adtrain: trains the autoencoder, keeps its run, and makes the detector file from it."""
