"""What training needs beside the networks: schedules, mixing, callbacks, loggers."""
