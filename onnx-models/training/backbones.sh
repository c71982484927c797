#!/usr/bin/env bash
# Fetches the encoders that training starts from and learns from into a folder.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(realpath -m "${1:?give a folder}")
for artifact in all-minilm-l6-v2:1.20.0-beta30 bge-small-en-v15:1.20.0-beta30 e5-small-v2:1.17.0-beta27; do
  "$here/../../mvnw" -q -B -f "$here/../../pom.xml" -N dependency:copy \
    -Dartifact="dev.langchain4j:langchain4j-embeddings-$artifact" -DoutputDirectory="$folder"
done
