
# Adds the names that the generated function does not know, and offers flags only after a dash.
_confluent_ebs_with_names() {
    local cur=$2 prev=$3 names="" word
    local line=" ${COMP_WORDS[*]:1:COMP_CWORD-1}"
    local profiles="${XDG_CONFIG_HOME:-$HOME/.config}/confluent-ebs/profiles"
    _confluent_ebs "$@"
    if [[ ${cur} == -* ]]; then
        return
    fi
    if [[ ${prev} == --profile || ${line} == *" profile use" || ${line} == *" profile show" ]]; then
        for word in "${profiles}"/*.toml; do
            word=${word##*/}
            [[ ${word} == "*.toml" ]] || names+=" ${word%.toml}"
        done
    elif [[ ${line} == *" connector plugin new" || ${line} == *" connector plugin describe" ]]; then
        names="@PLUGINS@"
    elif [[ ${prev} == -* ]]; then
        return
    elif [[ ${line} == *" connector "* && ${line} != *" lint"* ]]; then
        # Names of connectors are not known here, and files are no help.
        compopt +o default +o bashdefault 2>/dev/null
    fi
    local offered=("${COMPREPLY[@]}")
    COMPREPLY=()
    if [[ -n ${names} ]]; then
        COMPREPLY=($(compgen -W "${names}" -- "${cur}"))
        return
    fi
    for word in "${offered[@]}"; do
        [[ ${word} == -* ]] || COMPREPLY+=("${word}")
    done
}

_confluent_with_ebs() {
    if [[ ${COMP_CWORD} -ge 2 && ${COMP_WORDS[1]} == ebs ]]; then
        COMP_WORDS=(confluent-ebs "${COMP_WORDS[@]:2}")
        COMP_CWORD=$((COMP_CWORD - 1))
        _confluent_ebs_with_names confluent-ebs "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        return
    fi
    if ! declare -F __start_confluent >/dev/null; then
        # Loading the completion of the Confluent CLI registers it for the same word; take the word back afterwards.
        source <(command confluent completion bash 2>/dev/null)
        complete -F _confluent_with_ebs -o bashdefault -o default confluent
    fi
    if declare -F __start_confluent >/dev/null; then
        __start_confluent "$@"
    fi
    if [[ ${COMP_CWORD} -eq 1 && ebs == "${COMP_WORDS[1]}"* ]]; then
        COMPREPLY+=(ebs)
    fi
}

complete -F _confluent_with_ebs -o bashdefault -o default confluent
complete -F _confluent_ebs_with_names -o bashdefault -o default confluent-ebs
