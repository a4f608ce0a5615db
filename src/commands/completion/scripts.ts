/** What each shell does with the answer of `a3s-box __complete WORD…`: one candidate a line. */

export const bash = `# bash completion for a3s-box:  source <(a3s-box completion bash)
_a3s_box() {
  # Bash also breaks words at = and :, which names and flags have within them: put together what stands without a space.
  local line="\${COMP_LINE:0:COMP_POINT}" words=() word candidates
  for word in "\${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    if [[ \${#words[@]} -eq 0 || "$line" == [[:space:]]* ]]; then words+=("$word"); else words[-1]+="$word"; fi
    line="\${line#"\${line%%[![:space:]]*}"}"
    line="\${line#"$word"}"
  done
  local current="\${words[-1]}"
  candidates=$(a3s-box __complete "\${words[@]:1}" 2>/dev/null)
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
  if [[ \${#COMPREPLY[@]} -eq 0 ]]; then
    compopt -o default
  elif [[ "$current" != "\${COMP_WORDS[COMP_CWORD]}" ]]; then
    # Only what stands behind the last break is replaced.
    COMPREPLY=("\${COMPREPLY[@]#"\${current%"\${current##*[=:]}"}"}")
  fi
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
    set -l candidates (a3s-box __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)
    if set -q candidates[1]
        printf '%s\\n' $candidates
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c a3s-box -f -a '(__a3s_box_complete)'
`;
