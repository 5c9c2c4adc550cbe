
_confluent_with_ebs() {
    if [[ ${COMP_CWORD} -ge 2 && ${COMP_WORDS[1]} == ebs ]]; then
        COMP_WORDS=(confluent-ebs "${COMP_WORDS[@]:2}")
        COMP_CWORD=$((COMP_CWORD - 1))
        _confluent_ebs confluent-ebs "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
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
complete -F _confluent_ebs -o bashdefault -o default confluent-ebs
