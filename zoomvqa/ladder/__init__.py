"""Labelled sets without human ratings: pristine clips on a ladder of degradations, labelled with VMAF."""
