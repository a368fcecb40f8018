"""Settings that are wanted in several tests."""

# What conf/trainer says at least.
USUAL = {
    "accelerator": "auto", "devices": 1, "num_nodes": 1, "strategy": "auto", "precision": "32-true",
    "max_epochs": 1, "accumulate_grad_batches": 1, "gradient_clip_val": None, "deterministic": False,
    "log_every_n_steps": 1,
}  # fmt: skip
