#!/usr/bin/env python3
"""What no schema of Kubernetes knows of scripts/launch/k8s.yaml.

    manifests_check.py FOLDER     of k8s.yaml and the scripts that it calls

Names refer to what is there; numbers of machines and GPUs agree; the command is
one that local.sh takes. Prints what is wrong, and ends with code 1 then.
"""

# SPDX-License-Identifier: Apache-2.0

import os
import subprocess
import sys

import yaml

problems = []


def check(holds, text):
    if not holds:
        problems.append(text)


def check_pod(job, claims):
    """Volumes and claims of a job's pods."""
    name = job["metadata"]["name"]
    pod = job["spec"]["template"]["spec"]
    volumes = {volume["name"] for volume in pod["volumes"]}
    for volume in pod["volumes"]:
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        check(claim is None or claim in claims, f"{name}: no claim {claim}")
    for container in pod["containers"]:
        mounts = [mount["name"] for mount in container["volumeMounts"]]
        paths = [mount["mountPath"] for mount in container["volumeMounts"]]
        check(set(mounts) == volumes, f"{name}: mounts {mounts} of {volumes}")
        for word in container["command"]:
            value = word.split("=", 1)[-1]
            check(
                not value.startswith("/")
                or any(value.startswith(path + "/") for path in paths),
                f"{name}: {word} is in no volume",
            )
    check(pod["restartPolicy"] == "OnFailure", f"{name}: restartPolicy")
    check(pod["securityContext"]["runAsNonRoot"], f"{name}: root")


def check_train(job, service, folder):
    """Ranks: those of all machines, each once."""
    spec = job["spec"]
    pod = spec["template"]["spec"]
    labels = spec["template"]["metadata"]["labels"]
    check(pod["subdomain"] == service["metadata"]["name"], "subdomain")
    check(service["spec"]["selector"] == labels, "the service selects no pod")
    check(service["spec"]["clusterIP"] == "None", "the service is not headless")
    check(spec["completionMode"] == "Indexed", "the job is not indexed")
    check(spec["parallelism"] == spec["completions"], "parallelism")
    (container,) = pod["containers"]
    gpus = container["resources"]["limits"]["nvidia.com/gpu"]
    size = spec["completions"] * gpus
    ranks = []
    for index in range(spec["completions"]):
        command = [
            word.replace("$(JOB_COMPLETION_INDEX)", str(index))
            for word in container["command"]
        ]
        script = os.path.join(folder, command[0])
        run = subprocess.run(
            [script, "--dry_run"] + command[1:],
            capture_output=True,
            text=True,
            check=False,
        )
        check(run.returncode == 0, run.stderr)
        for line in run.stdout.splitlines():
            words = dict(word.split("=", 1) for word in line.split() if "=" in word)
            check(words["WORLD_SIZE"] == str(size), f"not {size} ranks: {line}")
            ranks.append(int(words["RANK"]))
    check(sorted(ranks) == list(range(size)), f"ranks {ranks} of {size}")


def main():
    folder = sys.argv[1]
    with open(os.path.join(folder, "k8s.yaml"), encoding="utf-8") as file:
        documents = list(yaml.safe_load_all(file))
    by_kind = {}
    for document in documents:
        by_kind.setdefault(document["kind"], []).append(document)
    claims = {c["metadata"]["name"] for c in by_kind["PersistentVolumeClaim"]}
    train, evaluation = by_kind["Job"]
    for job in (train, evaluation):
        check_pod(job, claims)
    check_train(train, by_kind["Service"][0], folder)
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
