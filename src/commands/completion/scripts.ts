/** What each shell does with the answer of `a3s-box __complete WORD…`: one candidate a line. */

export const bash = `# bash completion for a3s-box:  source <(a3s-box completion bash)
_a3s_box() {
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}") candidates
  candidates=$(a3s-box __complete "\${words[@]}" 2>/dev/null) || return 0
  # A colon ends a word for bash; an image's tag comes after one.
  local current="\${words[-1]}"
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && compopt -o default
  declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$current"
  return 0
}
complete -F _a3s_box a3s-box
`;

export const zsh = `#compdef a3s-box
# zsh completion for a3s-box:  source <(a3s-box completion zsh)
_a3s_box() {
  local -a candidates
  candidates=("\${(@f)$(a3s-box __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$candidates" ]]; then compadd -a candidates; else _files; fi
}
if [[ "$funcstack[1]" = _a3s_box ]]; then _a3s_box "$@"; else compdef _a3s_box a3s-box; fi
`;

export const fish = `# fish completion for a3s-box:  a3s-box completion fish | source
function __a3s_box_complete
    a3s-box __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null
end
complete -c a3s-box -f -a '(__a3s_box_complete)'
`;
