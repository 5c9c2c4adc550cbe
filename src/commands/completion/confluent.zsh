
_confluent_with_ebs() {
    if (( CURRENT > 2 )) && [[ ${words[2]} == ebs ]]; then
        shift words
        words[1]=confluent-ebs
        (( CURRENT-- ))
        _confluent-ebs "$@"
        return
    fi
    (( CURRENT == 2 )) && compadd -- ebs
    if (( ! $+functions[_confluent] )); then
        # Loading the completion of the Confluent CLI registers it for the same word; take the word back afterwards.
        source <(command confluent completion zsh 2>/dev/null)
        compdef _confluent_with_ebs confluent
    fi
    (( $+functions[_confluent] )) && _confluent "$@"
}

compdef _confluent_with_ebs confluent
