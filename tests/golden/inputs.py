"""What the golden cases start from: the files of a node, and what its owner wants."""

from __future__ import annotations

from tests.golden.texts import CRI, IMG

CONFIG = "/etc/containerd/config.toml"
CERTS = "/etc/containerd/certs.d"
PEM = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"

STARTS: dict[str, dict[str, str]] = {
    "nothing": {},
    "an empty file": {CONFIG: ""},
    "as Debian ships it": {
        CONFIG: f"version = 2\n\n[plugins]\n  [{CRI}]\n    [{CRI}.cni]\n"
        '      bin_dir = "/usr/lib/cni"\n      conf_dir = "/etc/cni/net.d"\n'
        '  [plugins."io.containerd.internal.v1.opt"]\n    path = "/var/lib/containerd/opt"\n'
    },
    "cgroup driver and pause image": {
        CONFIG: f'version = 2\n# note one\n[{CRI}]\n  sandbox_image = "registry.k8s.io/pause:3.9"\n'
        f"  [{CRI}.containerd.runtimes.runc]\n    runtime_type = 'io.containerd.runc.v2'\n"
        f"    [{CRI}.containerd.runtimes.runc.options]\n      SystemdCgroup = true # note two\n"
    },
    "legacy mirrors": {
        CONFIG: f'version = 2\n[{CRI}]\n  sandbox_image = "registry.k8s.io/pause:3.9"\n'
        f"# note one\n[{CRI}.registry]\n  [{CRI}.registry.mirrors]\n"
        f'    [{CRI}.registry.mirrors."docker.io"]\n'
        '      endpoint = ["https://old.example", "https://registry-1.docker.io"]\n'
        f'    [{CRI}.registry.mirrors."quay.io"]\n'
        '      endpoint = ["http://10.0.0.5:5000", "h.example/v2/"]\n'
        "\n# note two\n[debug]\n  level = 'info'\n"
    },
    "legacy mirrors with credentials and headers": {
        CONFIG: f'version = 2\n[{CRI}.registry.mirrors."docker.io"]\n'
        '  endpoint = ["https://old.example:8443"]\n'
        f'[{CRI}.registry.configs."old.example:8443".auth]\n  username = "u"\n  password = "p"\n'
        f'[{CRI}.registry.headers]\n  X-Site = ["a"]\n'
    },
    "legacy mirrors with TLS": {
        CONFIG: f'version = 2\n[{CRI}.registry.mirrors."docker.io"]\n'
        '  endpoint = ["https://old.example:8443"]\n'
        f'[{CRI}.registry.mirrors."ghcr.io"]\n  endpoint = ["https://old.example:8443"]\n'
        f'[{CRI}.registry.configs."old.example:8443".tls]\n'
        '  ca_file = "/etc/containerd/old-ca.crt"\n'
        f'[{CRI}.registry.configs."own.example".tls]\n  insecure_skip_verify = true\n',
        "/etc/containerd/old-ca.crt": "-----BEGIN CERTIFICATE-----\n",
    },
    "a legacy wildcard": {
        CONFIG: f'version = 2\n[{CRI}.registry.mirrors."*"]\n  endpoint = ["https://all.example"]\n'
        f'[{CRI}.registry.mirrors."own.example:5000"]\n  endpoint = []\n'
    },
    "legacy mirrors with paths": {
        CONFIG: f'version = 2\n[{CRI}.registry.mirrors."docker.io"]\n'
        '  endpoint = ["https://h.example/v2/hub", "https://n.example/proxy/", "https://s.example/"]\n'
        f'[{CRI}.registry.mirrors."quay.io"]\n  endpoint = ["https://h.example/v2/quay"]\n'
    },
    "mirrors beside config_path": {
        CONFIG: f'version = 2\n[{CRI}.registry]\n  config_path = "{CERTS}"\n'
        f'  [{CRI}.registry.mirrors."quay.io"]\n    endpoint = ["https://q.example"]\n'
    },
    "no version, nothing of CRI": {CONFIG: "[debug]\n  level = 'info'\n"},
    "no version, legacy mirrors": {
        CONFIG: "[plugins.cri]\n  systemd_cgroup = false\n"
        '[plugins.cri.registry.mirrors."quay.io"]\n  endpoint = ["https://q.example"]\n'
    },
    "no version, a full plugin URI": {CONFIG: f'[{CRI}]\n  sandbox_image = "x/pause:1"\n'},
    "Docker's package": {CONFIG: '# note one\ndisabled_plugins = ["cri"]\n\n#root = "/x"\n'},
    "CRI switched off by its URI": {
        CONFIG: 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
    },
    "config_path as wanted": {
        CONFIG: f'version = 2\n[{CRI}.registry]\n  config_path = "{CERTS}"\n'
    },
    "config_path elsewhere, a slash at its end": {
        CONFIG: f"version = 2\n[{CRI}.registry]\n  config_path = '/srv/certs.d/'\n"
    },
    "config_path empty": {CONFIG: f'version = 2\n[{CRI}.registry]\n  config_path = ""\n[debug]\n'},
    "two directories": {
        CONFIG: f'version = 2\n[{CRI}.registry]\n  config_path = "{CERTS}:/etc/docker/certs.d"\n'
    },
    "two directories, local pulls": {
        CONFIG: f"version = 2\n[{CRI}.registry]\n"
        f'  config_path = "{CERTS}:/etc/docker/certs.d"\n'
        f"[{CRI}.containerd]\n  discard_unpacked_layers = true\n"
    },
    "two directories, local pulls and runtimes": {
        CONFIG: f"version = 2\n[{CRI}.registry]\n"
        f'  config_path = "{CERTS}:/etc/docker/certs.d"\n'
        f"[{CRI}.containerd]\n  discard_unpacked_layers = true\n"
        f"[{CRI}.containerd.runtimes.runc]\n  runtime_type = 'io.containerd.runc.v2'\n"
    },
    "version 3": {
        CONFIG: f"version = 3\n[{IMG}]\n  max_concurrent_downloads = 3\n"
        f"  [{IMG}.pinned_images]\n    sandbox = 'registry.k8s.io/pause:3.10'\n"
        "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\n"
        "  SystemdCgroup = true\n"
    },
    "version 3 with legacy mirrors": {
        CONFIG: f"version = 3\n[{IMG}.registry.mirrors.'docker.io']\n"
        "  endpoint = ['https://old.example']\n"
    },
    "version 2 with a table of version 3": {
        CONFIG: f"version = 2\n[{IMG}.registry]\n  config_path = '{CERTS}'\n"
    },
    "version 4": {CONFIG: f"version = 4\n[{IMG}]\n  max_concurrent_downloads = 3\n"},
    "carriage returns and tabs": {
        CONFIG: f"version = 2\r\n[plugins]\r\n\t[{CRI}]\r\n\t\tsandbox_image = 'x/pause:1'\r\n"
        f"\t\t[{CRI}.registry]\r\n\t\t\t[{CRI}.registry.mirrors]\r\n"
        f"\t\t\t\t[{CRI}.registry.mirrors.'quay.io']\r\n"
        "\t\t\t\t\tendpoint = ['https://q.example']\r\n[debug]\r\n\tlevel = 'info'\r\n"
    },
    "dotted keys": {
        CONFIG: f'version = 2\n[{CRI}]\nregistry.mirrors."quay.io".endpoint = ["https://q.example"]\n'
        'registry.headers.X-Site = ["a"]\nsandbox_image = "x/pause:1"\n'
    },
    "inline tables": {
        CONFIG: f"version = 2\n[{CRI}]\n"
        "registry = { mirrors = { 'quay.io' = { endpoint = ['https://q.example'] } } }\n"
        'sandbox_image = "x/pause:1"\n'
    },
    "tables out of order": {
        CONFIG: f'version = 2\n[{CRI}.registry.mirrors."quay.io"]\nendpoint = ["https://q.example"]\n'
        f"[debug]\nlevel = 'info'\n[{CRI}]\nsandbox_image = 'x/pause:1'\n[grpc]\nuid = 0\n"
        f'[{CRI}.registry.mirrors."ghcr.io"]\nendpoint = ["https://g.example"]\n'
    },
    "an import with a copy of CRI's table": {
        CONFIG: 'version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n'
        f'[{CRI}]\n  sandbox_image = "registry.k8s.io/pause:3.9"\n',
        "/etc/containerd/conf.d/99-nvidia.toml": f"version = 2\n[{CRI}]\n"
        '  sandbox_image = "registry.k8s.io/pause:3.9"\n'
        f'[{CRI}.containerd]\n  default_runtime_name = "runc"\n',
    },
    "an import with legacy mirrors": {
        CONFIG: 'version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n'
        f"[{CRI}.containerd.runtimes.runc]\n  runtime_type = 'io.containerd.runc.v2'\n",
        "/etc/containerd/conf.d/10-mirrors.toml": f'[{CRI}.registry.mirrors."docker.io"]\n'
        '  endpoint = ["https://old.example"]\n',
    },
    "an import of an import": {
        CONFIG: 'version = 2\nimports = ["/etc/containerd/a.toml"]\n',
        "/etc/containerd/a.toml": 'version = 2\nimports = ["/etc/containerd/b.toml"]\n',
        "/etc/containerd/b.toml": f'version = 2\n[{CRI}.registry]\n  config_path = "/srv/b"\n',
    },
    "an import of version 3 below version 2": {
        CONFIG: 'version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n',
        "/etc/containerd/conf.d/9.toml": f"version = 3\n[{IMG}]\n  max_concurrent_downloads = 3\n",
    },
    "an import that is not there": {
        CONFIG: 'version = 2\nimports = ["/etc/containerd/gone.toml"]\n',
    },
    "a generated root with a folder of imports": {
        CONFIG: "# Generated by a program. DO NOT EDIT.\nversion = 2\n"
        'imports = ["/etc/containerd/conf.d/*.toml"]\n'
        f'[{CRI}]\n  sandbox_image = "registry.k8s.io/pause:3.9"\n',
        "/etc/containerd/conf.d/10-x.toml": "version = 2\n[debug]\n  level = 'info'\n",
    },
    "folders of other hands": {
        CONFIG: f'version = 2\n[{CRI}.registry]\n  config_path = "{CERTS}"\n',
        f"{CERTS}/docker.io/hosts.toml": "server = 'https://registry-1.docker.io'\n",
        f"{CERTS}/harbor.example_5000_/hosts.toml": "[host.'http://x.example']\n",
        f"{CERTS}/harbor.example:5000/hosts.toml": "[host.'http://y.example']\n",
        f"{CERTS}/private.example/hosts.toml": "[host.'http://p.example']\nskip_verify = true\n",
        f"{CERTS}/broken.example/hosts.toml": "[host.'http://b']\n[host.'http://b']\n",
    },
    "Docker-style certificates": {
        CONFIG: f'version = 2\n[{CRI}.registry]\n  config_path = "{CERTS}"\n',
        f"{CERTS}/quay.io/ca.crt": PEM,
        f"{CERTS}/quay.io/client.cert": PEM,
        f"{CERTS}/quay.io/client.key": PEM.replace("CERTIFICATE", "PRIVATE KEY"),
    },
    "a Go template": {CONFIG: "version = 2\n{{ if .X }}\n[debug]\n{{ end }}\n"},
    "a Jinja template": {CONFIG: "version = 2\n{% for x in y %}\n[debug]\n{% endfor %}\n"},
    "invalid TOML": {CONFIG: f"version = 2\n[{CRI}\n"},
    "the registry table twice": {
        CONFIG: f"version = 2\n[{CRI}.registry]\n  config_path = ''\n[{CRI}.registry]\n"
    },
}

MIRRORS: dict[str, str] = {
    "plain": "mirrors:\n  docker.io: {endpoints: [https://a.example, http://b.example:5000]}\n"
    "  quay.io: {endpoints: [https://a.example]}\n",
    "full": "mirrors:\n  docker.io:\n    endpoints:\n"
    "      - {url: https://h.example:8443, ca: ca.pem, client: [[cert.pem, key.pem]]}\n"
    "      - {url: https://i.example, skip_verify: true, dial_timeout: 3s,"
    " header: {X-Token: t0ken}}\n"
    "  harbor.example:5000: {endpoints: [https://a.example], server: http://harbor.example:5000}\n"
    "configs:\n  h.example:8443: {auth: {username: robot, password: env:FLEET_TEST_SECRET}}\n",
    "paths": "mirrors:\n  docker.io:\n    endpoints:\n"
    "      - {url: https://h.example/v2/hub, override_path: true}\n",
    "closed": "defaults: {fallback: never}\nmirrors:\n"
    "  docker.io: {endpoints: [https://a.example, 'https://[2001:db8::1]:5000']}\n",
    "login": "mirrors:\n  docker.io: {endpoints: [https://a.example, http://b.example:5000]}\n"
    "configs:\n  a.example: {auth: {username: robot, password: env:FLEET_TEST_SECRET}}\n",
    "wildcard": "mirrors:\n  '*': {endpoints: [https://all.example]}\n",
}
