"""Frames of devices with what they mean: the arbiter between decoders and encoders."""
