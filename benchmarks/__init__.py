"""How fast Concert is, each figure beside a limit that was measured in the same run."""
