"""The names of CRI's tables, as config.toml writes them."""

CRI = 'plugins."io.containerd.grpc.v1.cri"'
IMG = "plugins.'io.containerd.cri.v1.images'"
