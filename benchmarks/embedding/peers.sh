#!/usr/bin/env bash
# Makes the environments of the embedder's peers, whose packages conflict with each other's, under .venvs/:
#
#   benchmarks/embedding/peers.sh [genai] [transformers] [optimum] [llama]    all of them if none is named
#
# A few minutes and 2 GB; llama is compiled and needs a C++ compiler. PYTHON=python3.12 names another interpreter.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ $# -gt 0 ] || set -- genai transformers optimum llama
for name; do
    case $name in
        genai) packages=("onnxruntime-genai==0.18.*" "onnxruntime==1.31.*") ;;
        transformers) packages=("transformers==5.23.*") ;;
        optimum) packages=("optimum-onnx[onnxruntime]==0.1.*" "transformers==4.57.*" "onnxruntime==1.31.*") ;;
        llama) packages=("llama-cpp-python>=0.3" "gguf>=0.10") ;;
        *) echo "no peer is named $name: genai, transformers, optimum, llama" >&2; exit 2 ;;
    esac
    "${PYTHON:-python3}" -m venv ".venvs/$name"
    case $name in transformers | optimum) ".venvs/$name/bin/pip" install --quiet torch==2.13.0 ;; esac
    ".venvs/$name/bin/pip" install --quiet numpy "${packages[@]}"
    echo "$name: $PWD/.venvs/$name/bin/python"
done
